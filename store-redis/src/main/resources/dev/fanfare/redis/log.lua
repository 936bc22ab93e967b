-- What the scripts of the log share.
--
-- The head of a channel is one string:
--   tag (8 bytes) | top offset (8) | when the head is over, ms (8) | how long publications are kept, ms (8) |
--   until when Redis keeps the stream, ms (8) | epoch
-- An entry of its stream has the id 0-<offset> and one field:
--   tag before it (8) | tag (8) | time, ms (8) | body
--
-- The epoch of a channel that was never written is made of the genesis and the number of the channel's present
-- period of PERIOD ms; the periods of different channels begin at different times. A head is kept as a tombstone until
-- after the end of the period in which it was last written, so that no epoch is used twice. What is told to clients is
-- the epoch followed by SUFFIX, which is another one whenever the identity of the primary has changed.

local PERIOD = 2592000000
local MARGIN = 86400000
local NO_TAG = '\0\0\0\0\0\0\0\0'

local function offset_of(id)
  return tonumber(string.sub(id, 3))
end

local function time_of(entry)
  return (struct.unpack('>I8', entry[2][2], 17))
end

local function period_end(now, phase)
  return (math.floor((now + phase) / PERIOD) + 1) * PERIOD - phase
end

-- The epoch of a channel without a head.
local function unwritten_epoch(genesis_key, candidate, now, phase)
  local genesis = redis.call('GET', genesis_key)
  if not genesis then
    genesis = candidate
    redis.call('SET', genesis_key, genesis)
  end
  return genesis .. 'G' .. decimal(math.floor((now + phase) / PERIOD))
end

local function epoch_of(head)
  return string.sub(head, 41)
end

local function save_head(key, tag, top, over, retained, stream_until, epoch, now, phase)
  local head = tag .. struct.pack('>I8I8I8I8', top, over, retained, stream_until) .. epoch
  redis.call('SET', key, head, 'PXAT', math.max(over, period_end(now, phase)) + MARGIN)
end

-- The first offset whose publication is younger than that time; one after the top if there is none.
local function first_younger(stream, top, than)
  local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not oldest then
    return top + 1
  end
  local low = offset_of(oldest[1])
  if time_of(oldest) > than then
    return low
  end
  local high = top + 1
  while high - low > 1 do
    local middle = math.floor((low + high) / 2)
    local entry = redis.call('XRANGE', stream, '0-' .. decimal(middle), '+', 'COUNT', 1)[1]
    if not entry or time_of(entry) > than then
      high = middle
    else
      low = offset_of(entry[1])
    end
  end
  return high
end
