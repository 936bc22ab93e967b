-- KEYS: head, stream, genesis.
-- ARGV: epoch candidate, phase, after offset, limit, 'f' or 'r', most bytes.
-- Answers tag, top and first offset in one string, the epoch, and the entries: as many as fit into so many bytes, and one in
-- any case.

local limit = tonumber(ARGV[4])
local most = tonumber(ARGV[6])

local function page(command, from, to)
  local found, bytes, step = {}, 0, 16
  while #found < limit do
    step = math.min(step, limit - #found)
    local some = redis.call(command, KEYS[2], from, to, 'COUNT', step)
    for _, entry in ipairs(some) do
      bytes = bytes + #entry[2][2]
      if bytes > most and #found > 0 then
        return found
      end
      found[#found + 1] = entry
    end
    if #some < step then
      return found
    end
    from = '(' .. some[#some][1]
    -- As many as may fit, going by those that came, which may have been small ones.
    step = math.max(1, math.min(4 * #found, math.ceil((most - bytes) * #found / (bytes + 1))))
  end
  return found
end

local now = milliseconds()
local phase = tonumber(ARGV[2])
local head = redis.call('GET', KEYS[1])
if not head then
  return {NO_TAG .. struct.pack('>I8I8', 0, 0), unwritten_epoch(KEYS[3], ARGV[1], now, phase) .. SUFFIX}
end
local top, over, retained = struct.unpack('>I8I8I8', head, 9)
if over <= now then
  -- A new life, which the next publication keeps.
  redis.call('UNLINK', KEYS[2])
  save_head(KEYS[1], NO_TAG, 0, period_end(now, phase), 0, 0, ARGV[1], now, phase)
  return {NO_TAG .. struct.pack('>I8I8', 0, 0), ARGV[1] .. SUFFIX}
end

local after = tonumber(ARGV[3])
local entries = {}
if limit > 0 then
  if ARGV[5] == 'r' then
    if after > top then
      entries = page('XREVRANGE', '+', '-')
    elseif after > 1 then
      entries = page('XREVRANGE', '(0-' .. ARGV[3], '-')
    end
    while #entries > 0 and time_of(entries[#entries]) <= now - retained do
      entries[#entries] = nil
    end
  elseif after < top then
    entries = page('XRANGE', '(0-' .. ARGV[3], '+')
    if #entries > 0 and time_of(entries[1]) <= now - retained then
      local first = first_younger(KEYS[2], top, now - retained)
      entries = page('XRANGE', '0-' .. decimal(first), '+')
    end
  end
end

local first = 0
if #entries > 0 then
  first = offset_of(entries[1][1])
  if math.abs(offset_of(entries[#entries][1]) - first) ~= #entries - 1 then
    return redis.error_reply('FANFARE the stream ' .. KEYS[2] .. ' has holes: somebody else deleted from it')
  end
end
local answer = {string.sub(head, 1, 8) .. struct.pack('>I8I8', top, first), epoch_of(head) .. SUFFIX}
for i = 1, #entries do
  answer[i + 2] = entries[i][2][2]
end
return answer
