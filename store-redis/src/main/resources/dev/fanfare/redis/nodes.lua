-- Keeps the list of nodes.
-- KEYS: nodes.
-- ARGV: time to live in ms, nodes to renew ...

local now = milliseconds()
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
