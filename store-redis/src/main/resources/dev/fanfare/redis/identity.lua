-- Names the history that this server continues. A server that was promoted, or started anew, has another replication
-- id than the one that the name was made for, and may lack what the former one had acknowledged: then there is a new
-- name, which ends every epoch told so far.
-- KEYS: identity.
-- ARGV: the replication id and name that the caller knows, and if a new name may be given, which.
-- Answers replication id and name; an empty name if there is none.

local info = redis.call('INFO', 'replication')
local role = string.match(info, 'role:(%a+)')
local replication = string.match(info, 'master_replid:(%x+)')
if role ~= 'master' or not replication then
  return redis.error_reply('READONLY not a primary')
end
local given = redis.call('GET', KEYS[1])
if given and string.match(given, '^(%S+)') == replication then
  return {replication, string.match(given, '(%S+)$')}
end
local name = ARGV[3]
if not given and ARGV[1] == replication then
  -- The data are gone, but the server is the same.
  name = ARGV[2]
end
if not name then
  return {replication, ''}
end
redis.call('SET', KEYS[1], replication .. ' ' .. name)
return {replication, name}
