-- ARGV: key, time to live in ms, value without its first 8 bytes.

local old = redis.call('HGET', KEYS[1], ARGV[1])
if old and not is_over(old) then
  local offset = struct.unpack('>I8', ARGV[3])
  local same_epoch = string.sub(old, 17, 17 + string.byte(old, 17)) == string.sub(ARGV[3], 9, 9 + string.byte(ARGV[3], 9))
  if offset > 0 and same_epoch and struct.unpack('>I8', old, 9) > offset then
    return 0
  end
end
local over = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], ARGV[1], struct.pack('>I8', over) .. ARGV[3])
redis.call('ZADD', KEYS[2], decimal(over), ARGV[1])
purge(16)
local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIREAT', KEYS[1], last)
redis.call('PEXPIREAT', KEYS[2], last)
return 1
