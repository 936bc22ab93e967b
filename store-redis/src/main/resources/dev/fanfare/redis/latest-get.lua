-- ARGV: key.

local value = redis.call('HGET', KEYS[1], ARGV[1])
if not value or is_over(value) then
  return false
end
return string.sub(value, 9)
