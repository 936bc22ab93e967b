-- What the scripts of the latest values share. A value is: when it is over, ms (8) | offset (8) | length of the epoch (1)
-- | epoch | publication.
-- KEYS: values (hash), and their keys by the time at which they are over (sorted set).

local now = milliseconds()

local function is_over(value)
  return struct.unpack('>I8', value) <= now
end

local function purge(most)
  local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, most)
  for _, key in ipairs(over) do
    redis.call('HDEL', KEYS[1], key)
    redis.call('ZREM', KEYS[2], key)
  end
end
