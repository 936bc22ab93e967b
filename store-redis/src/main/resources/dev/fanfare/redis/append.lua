-- KEYS: head, stream, genesis, and with a dedup key its key.
-- ARGV: epoch candidate, phase, tag, count, retention, head ttl, body, publish command, bus channel, largest inline
--       body, and with a dedup key the digest of the data and the window.

local now = milliseconds()
if ARGV[11] then
  local digest, position = remembered(KEYS[4], now)
  if digest then
    return digest == ARGV[11] and 'R' .. position or 'C'
  end
end

local phase = tonumber(ARGV[2])
local tag = ARGV[3]
local retained = tonumber(ARGV[5])
local head = redis.call('GET', KEYS[1])
local before, top, stream_until, epoch = NO_TAG, 0, 0, nil
if head then
  local over, retained_before
  top, over, retained_before, stream_until = struct.unpack('>I8I8I8I8', head, 9)
  if over > now then
    before = string.sub(head, 1, 8)
    epoch = epoch_of(head)
    if retained_before ~= retained then
      stream_until = 0
    end
  else
    top = 0
    epoch = ARGV[1]
  end
else
  epoch = unwritten_epoch(KEYS[3], ARGV[1], now, phase)
end
if top == 0 then
  stream_until = 0
  redis.call('UNLINK', KEYS[2])
end

top = top + 1
local entry = before .. tag .. struct.pack('>I8', now) .. ARGV[7]
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[4], '0-' .. decimal(top), 'p', entry)
if top % 32 == 0 then
  local first = first_younger(KEYS[2], top, now - retained)
  redis.call('XTRIM', KEYS[2], 'MINID', '=', '0-' .. decimal(first))
end
if stream_until < now + retained then
  -- A little longer, so that not every append has to renew it.
  stream_until = now + retained + math.floor(retained / 8)
  redis.call('PEXPIREAT', KEYS[2], stream_until)
end
save_head(KEYS[1], tag, top, now + tonumber(ARGV[6]), retained, stream_until, epoch, now, phase)

epoch = epoch .. SUFFIX
if ARGV[11] then
  remember(KEYS[4], now, ARGV[12], ARGV[11], struct.pack('>I8', top) .. tag .. epoch)
end
local place = struct.pack('>I8B', top, #epoch) .. epoch
if #ARGV[7] <= tonumber(ARGV[10]) then
  redis.call(ARGV[8], ARGV[9], '\1P' .. place .. entry)
else
  redis.call(ARGV[8], ARGV[9], '\1M' .. place .. tag)
end
return 'A' .. before .. struct.pack('>I8I8', now, top) .. epoch
