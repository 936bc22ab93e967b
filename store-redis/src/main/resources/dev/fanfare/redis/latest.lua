-- What the scripts of the latest values share. A value is: when it is over, ms (8) | offset (8) | length of the epoch (1)
-- | epoch | publication.
-- KEYS: values (hash), and their keys by the time at which they are over (sorted set).

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

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
