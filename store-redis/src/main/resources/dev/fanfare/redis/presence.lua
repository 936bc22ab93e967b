-- What the scripts of presence share.
--
-- One partition of the channels has
--   LEASES     sorted set  lease by the time at which it ends
--   NODES      hash        node -> lease (12 bytes) and the SALT under which it was taken
--   OWNERS     hash        lease -> node
--   DUE        sorted set  users in their grace period by the time at which they depart
--   ENTRIES    .. lease    set of the (channel, seat) under a lease
--   USERS      .. channel  hash, identity -> how many seats under which lease, or in its grace period: the last seat
--   SEATS      .. channel  hash, seat -> lease (12) | grace, ms (8) | member
-- A seat is a connection of a user in a channel: length of the identity (2) | identity | connection. The last seat of a
-- user in its grace period stays, for show.
--
-- A lease that has ended is worth nothing from that moment on; its seats are taken out little by little by bury().

local LEASES, NODES, OWNERS, DUE, ENTRIES, USERS, SEATS = unpack(KEYS)
local NO_LEASE = '------------'

local function prefixed(first, second)
  return struct.pack('>I2', #first) .. first .. second
end

local function split(both)
  local length = struct.unpack('>I2', both)
  return string.sub(both, 3, 2 + length), string.sub(both, 3 + length)
end

local function is_alive(lease, now)
  local ends = redis.call('ZSCORE', LEASES, lease)
  return ends and tonumber(ends) > now
end

local function lease_of(seat)
  return string.sub(seat, 1, 12)
end

local function grace_of(seat)
  return (struct.unpack('>I8', seat, 13))
end

local function load_user(channel, identity)
  local packed = redis.call('HGET', USERS .. channel, identity)
  return packed and cmsgpack.unpack(packed) or nil
end

local function save_user(channel, identity, state)
  redis.call('HSET', USERS .. channel, identity, cmsgpack.pack(state))
end

local function take_seat(state, lease)
  state[lease] = state[lease] > 1 and state[lease] - 1 or nil
end

local function depart_later(channel, identity, place, due)
  save_user(channel, identity, place)
  redis.call('ZADD', DUE, decimal(due), prefixed(channel, identity))
end

-- Takes out a seat whose lease has ended.
local function bury_seat(channel, place, lease, ended)
  local seat = redis.call('HGET', SEATS .. channel, place)
  if not seat or lease_of(seat) ~= lease then
    return
  end
  local identity = split(place)
  local state = load_user(channel, identity)
  if state == place then
    return
  end
  if type(state) ~= 'table' or not state[lease] then
    redis.call('HDEL', SEATS .. channel, place)
    return
  end
  take_seat(state, lease)
  if next(state) == nil then
    depart_later(channel, identity, place, ended + grace_of(seat))
  else
    save_user(channel, identity, state)
    redis.call('HDEL', SEATS .. channel, place)
  end
end

-- Takes out seats under ended leases, in the order in which they ended; true if there may be more.
local function bury(now, budget)
  while budget > 0 do
    local found = redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 1)
    local lease, ended = found[1], tonumber(found[2])
    if not lease then
      return false
    end
    local entries = redis.call('SPOP', ENTRIES .. lease, budget)
    for _, entry in ipairs(entries) do
      local channel, place = split(entry)
      bury_seat(channel, place, lease, ended)
    end
    if #entries < budget then
      redis.call('ZREM', LEASES, lease)
      local node = redis.call('HGET', OWNERS, lease)
      redis.call('HDEL', OWNERS, lease)
      local held = node and redis.call('HGET', NODES, node)
      if held and lease_of(held) == lease then
        redis.call('HDEL', NODES, node)
      end
    end
    budget = budget - #entries - 1
  end
  return true
end
