-- ARGV: node, time to live in ms, lease candidate.

local now = milliseconds()
local ends = decimal(now + tonumber(ARGV[2]))
local held = redis.call('HGET', NODES, ARGV[1])
if held and string.sub(held, 13) == SALT and is_alive(lease_of(held), now) then
  redis.call('ZADD', LEASES, 'XX', ends, lease_of(held))
  return 1
end
redis.call('HSET', NODES, ARGV[1], ARGV[3] .. SALT)
redis.call('HSET', OWNERS, ARGV[3], ARGV[1])
redis.call('ZADD', LEASES, ends, ARGV[3])
return 0
