-- ARGV: channel, identity, seat, grace in ms.

local now = milliseconds()
bury(now, 64)
local channel, identity, place = ARGV[1], ARGV[2], ARGV[3]
local seat = redis.call('HGET', SEATS .. channel, place)
local state = load_user(channel, identity)
if not seat or type(state) ~= 'table' or not state[lease_of(seat)] then
  return 0
end
local lease = lease_of(seat)
redis.call('SREM', ENTRIES .. lease, prefixed(channel, place))
if not is_alive(lease, now) then
  -- It has left already, when its lease ended.
  bury_seat(channel, place, lease, tonumber(redis.call('ZSCORE', LEASES, lease) or now))
  return 0
end
take_seat(state, lease)
for other in pairs(state) do
  if not is_alive(other, now) then
    state[other] = nil
  end
end
if next(state) ~= nil then
  save_user(channel, identity, state)
  redis.call('HDEL', SEATS .. channel, place)
  return 0
end
local grace = tonumber(ARGV[4])
if grace > 0 then
  depart_later(channel, identity, place, now + grace)
  return 0
end
redis.call('HDEL', USERS .. channel, identity)
redis.call('HDEL', SEATS .. channel, place)
return 1
