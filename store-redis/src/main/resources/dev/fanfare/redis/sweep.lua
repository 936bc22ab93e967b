-- ARGV: limit.
-- Answers whether there is more to bury, and then channel and member of each departure.

local now = milliseconds()
local more = bury(now, 500)
local answer = {more and '1' or '0'}
local due = redis.call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, ARGV[1])
for _, who in ipairs(due) do
  local channel, identity = split(who)
  local place = load_user(channel, identity)
  redis.call('ZREM', DUE, who)
  if type(place) == 'string' then
    local seat = redis.call('HGET', SEATS .. channel, place)
    redis.call('HDEL', USERS .. channel, identity)
    redis.call('HDEL', SEATS .. channel, place)
    if seat then
      answer[#answer + 1] = channel
      answer[#answer + 1] = string.sub(seat, 21)
    end
  end
end
return answer
