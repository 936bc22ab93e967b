-- ARGV: node.

local now = milliseconds()
local held = redis.call('HGET', NODES, ARGV[1])
if held then
  if is_alive(lease_of(held), now) then
    redis.call('ZADD', LEASES, decimal(now), lease_of(held))
  end
  redis.call('HDEL', NODES, ARGV[1])
end
return 0
