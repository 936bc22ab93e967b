-- ARGV: node, channel, identity, seat, grace in ms, member.

local now = milliseconds()
bury(now, 64)
local channel, identity, place = ARGV[2], ARGV[3], ARGV[4]
local held = redis.call('HGET', NODES, ARGV[1])
local lease = held and lease_of(held)
if lease and not is_alive(lease, now) then
  lease = nil
end

local state = load_user(channel, identity)
local joins = state == nil
if type(state) == 'string' then
  redis.call('ZREM', DUE, prefixed(channel, identity))
  if state ~= place then
    redis.call('HDEL', SEATS .. channel, state)
  end
  state = {}
elseif state then
  local former = redis.call('HGET', SEATS .. channel, place)
  if former then
    redis.call('SREM', ENTRIES .. lease_of(former), prefixed(channel, place))
    if state[lease_of(former)] then
      take_seat(state, lease_of(former))
    end
  end
else
  state = {}
end

local grace = struct.pack('>I8', tonumber(ARGV[5]))
if lease then
  state[lease] = (state[lease] or 0) + 1
  redis.call('HSET', SEATS .. channel, place, lease .. grace .. ARGV[6])
  redis.call('SADD', ENTRIES .. lease, prefixed(channel, place))
  save_user(channel, identity, state)
elseif next(state) == nil then
  -- Without a lease it counts as gone at once.
  redis.call('HSET', SEATS .. channel, place, NO_LEASE .. grace .. ARGV[6])
  depart_later(channel, identity, place, now + tonumber(ARGV[5]))
else
  redis.call('HDEL', SEATS .. channel, place)
  save_user(channel, identity, state)
end
return joins and 1 or 0
