-- Publishes what is not logged, unless its dedup key is known.
-- KEYS: dedup key.
-- ARGV: publish command, bus channel, frame, digest of the data, window.

local first = redis.call('GET', KEYS[1])
if first then
  if string.sub(first, 1, 16) ~= ARGV[4] then
    return 'C'
  end
  return 'R' .. string.sub(first, 17)
end
redis.call('SET', KEYS[1], ARGV[4] .. string.rep('\0', 16), 'PX', ARGV[5])
redis.call(ARGV[1], ARGV[2], ARGV[3])
return 'S'
