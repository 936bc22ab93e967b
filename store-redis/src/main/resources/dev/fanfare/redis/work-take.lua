-- Gives jobs to a worker of a group.
-- KEYS: head, stream, queue.
-- ARGV: group, worker, limit, visibility in ms, and 'r' to look first for what others left behind.
-- Answers how many were lost, the epoch, and of each job offset and count in one string, and the entry.
--
-- The group is a consumer group of the log's stream. It goes when the stream goes, because everything in it was too old;
-- what it had reached is kept beside, in the queue: a hash of the epoch, the last offset handed out, how many of those
-- handed out were not acknowledged, and where the next look at them begins. So nothing is handed out again, and nothing is
-- lost unseen.

local KEPT = 2678400000
local IDLE = 3600000
-- A look passes by ten times as many jobs under way as there is room for: where that is little, so many for one.
local LOOKS = 20
local now = milliseconds()
local head = redis.call('GET', KEYS[1])
if not head then
  return {struct.pack('>I8', 0), ''}
end
local top, over = struct.unpack('>I8I8', head, 9)
if over <= now then
  return {struct.pack('>I8', 0), ''}
end
local group, worker, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local epoch = epoch_of(head)
local known = redis.call('HMGET', KEYS[3], 'epoch', 'last', 'pending', 'look')
local last, pending, lost, look = 0, tonumber(known[3] or 0), 0, '0-0'
if known[1] == epoch then
  last = tonumber(known[2])
  look = known[4] or look
elseif known[1] then
  lost, pending = pending, 0
end

local answer = {}
local function add(entry, count)
  answer[#answer + 1] = struct.pack('>I8I8', offset_of(entry[1]), count)
  answer[#answer + 1] = entry[2][2]
end

local function save()
  redis.call('HSET', KEYS[3], 'epoch', epoch, 'last', decimal(last), 'pending', pending, 'look', look)
  redis.call('PEXPIRE', KEYS[3], KEPT)
  table.insert(answer, 1, struct.pack('>I8', lost))
  table.insert(answer, 2, epoch .. SUFFIX)
  return answer
end

if redis.call('EXISTS', KEYS[2]) == 0 then
  lost = lost + pending + top - last
  last, pending = top, 0
  return save()
end
local created = redis.pcall('XGROUP', 'CREATE', KEYS[2], group, '0-' .. decimal(last))
if not created.err then
  lost, pending = lost + pending, 0
end

local room = limit
if ARGV[5] == 'r' then
  for _ = 1, math.ceil(LOOKS / room) do
    local claimed = redis.call('XAUTOCLAIM', KEYS[2], group, worker, ARGV[4], look, 'COUNT', room)
    look = claimed[1]
    lost = lost + #claimed[3]
    for _, entry in ipairs(claimed[2]) do
      add(entry, redis.call('XPENDING', KEYS[2], group, entry[1], entry[1], 1)[1][4])
      room = room - 1
    end
    if room == 0 or look == '0-0' then
      break
    end
  end
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[2], group)) do
    -- name, its value, pending, its value, idle, its value: those of nodes that are no more pile up
    if consumer[4] == 0 and consumer[6] > IDLE then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[2], group, consumer[2])
    end
  end
end
if room > 0 and last < top then
  local fresh = redis.call('XREADGROUP', 'GROUP', group, worker, 'COUNT', room, 'STREAMS', KEYS[2], '>')
  local reached = top
  if fresh then
    local entries = fresh[1][2]
    lost = lost + offset_of(entries[1][1]) - last - 1
    reached = offset_of(entries[#entries][1])
    for _, entry in ipairs(entries) do
      add(entry, 1)
    end
  else
    lost = lost + top - last
  end
  last = reached
end
pending = redis.call('XPENDING', KEYS[2], group)[1]
return save()
