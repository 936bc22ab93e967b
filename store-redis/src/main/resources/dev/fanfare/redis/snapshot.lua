-- ARGV: channel, limit.
-- Answers how many connections and users there are, and then seats.

bury(milliseconds(), 64)
local channel = ARGV[1]
local limit = tonumber(ARGV[2])
local connections = redis.call('HLEN', SEATS .. channel)
local answer = {tostring(connections), tostring(redis.call('HLEN', USERS .. channel))}
local seats = {}
if connections <= limit then
  seats = redis.call('HVALS', SEATS .. channel)
elseif limit > 0 then
  local found = redis.call('HRANDFIELD', SEATS .. channel, limit, 'WITHVALUES')
  for i = 2, #found, 2 do
    seats[#seats + 1] = found[i]
  end
end
for _, seat in ipairs(seats) do
  answer[#answer + 1] = string.sub(seat, 21)
end
return answer
