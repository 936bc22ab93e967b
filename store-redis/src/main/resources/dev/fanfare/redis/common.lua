-- What all scripts share. Time is that of the server, so that nodes need not agree on it.

local function milliseconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + SHIFT
end

local function decimal(number)
  return string.format('%.0f', number)
end

-- What was remembered under a dedup key, while its window lasts: the digest of its data, and its position.
-- It is: when the window is over, ms (8) | digest (16) | offset (8) | tag (8) | epoch.
local function remembered(key, now)
  local first = redis.call('GET', key)
  if first and struct.unpack('>I8', first) > now then
    return string.sub(first, 9, 24), string.sub(first, 25)
  end
  return nil
end

local function remember(key, now, window, digest, position)
  redis.call('SET', key, struct.pack('>I8', now + tonumber(window)) .. digest .. position, 'PX', window)
end
