-- KEYS: stream, queue.
-- ARGV: group, entries ...

local done = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  done = redis.call('XACK', KEYS[1], unpack(ARGV))
  if done > 0 and redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('HINCRBY', KEYS[2], 'pending', -done)
  end
end
return done
