-- Names the history that this server continues. A server that was promoted, or started anew, has another replication
-- id than the one that the name was made for, and may lack what the former one had acknowledged: then there is a new
-- name, which ends every epoch told so far.
-- KEYS: identity.
-- ARGV: candidate, and the replication id and name that the caller knows.

local info = redis.call('INFO', 'replication')
local role = string.match(info, 'role:(%a+)')
local replication = string.match(info, 'master_replid:(%x+)')
if role ~= 'master' or not replication then
  return redis.error_reply('READONLY not a primary')
end
local known = redis.call('GET', KEYS[1])
if known and string.match(known, '^(%S+)') == replication then
  return {replication, string.match(known, '(%S+)$')}
end
local name = ARGV[1]
if not known and ARGV[2] == replication then
  name = ARGV[3]
end
redis.call('SET', KEYS[1], replication .. ' ' .. name)
return {replication, name}
