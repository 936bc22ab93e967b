-- ARGV: limit.
-- Answers key and value in turn.

purge(1000)
local limit = tonumber(ARGV[1])
local found = {}
if redis.call('HLEN', KEYS[1]) <= limit then
  found = redis.call('HGETALL', KEYS[1])
elseif limit > 0 then
  found = redis.call('HRANDFIELD', KEYS[1], limit, 'WITHVALUES')
end
local answer = {}
for i = 1, #found, 2 do
  if not is_over(found[i + 1]) then
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = string.sub(found[i + 1], 9)
  end
end
return answer
