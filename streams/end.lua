-- End a stream from outside its writer: because the producer is dead, or because someone pressed stop before it began.
-- Whoever ends it takes the next fence, so that a writer that was only asleep finds itself fenced, and a new epoch: a
-- failover may have lost entries that readers have seen, and only the dead writer knew. So they read all of it anew.
--
-- KEYS: 1 chunks, 2 state, 3 news channel
-- ARGV: 1 "overdue" (only past its lease), "lost" (at once if nobody writes it), or "cancel" (so too; but else leave
--       word for the writer),
--       2 a new epoch, 3 expiry (ms), 4 the end of a stream that nobody writes, 5 the end of one that is written
-- Returns "unknown", "ended" (it had ended before), "alive" (it has a writer), or "done" (this call ended it).

if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then return 'unknown' end
local stored = redis.call('HMGET', KEYS[2], 'ended', 'epoch', 'lease', 'fence')
if stored[1] then return 'ended' end

local begun = stored[2] ~= false
if ARGV[1] == 'cancel' and begun then redis.call('HSET', KEYS[2], 'cancel', 1) end
if ARGV[1] ~= 'overdue' then
  if begun then return 'alive' end
else
  local now = redis.call('TIME')
  if stored[3] and (tonumber(stored[3]) or 0) > now[1] * 1000 + math.floor(now[2] / 1000) then return 'alive' end
end

local epoch, entry = ARGV[2], begun and ARGV[5] or ARGV[4]
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
local index = redis.call('RPUSH', KEYS[1], entry) - 1
if stored[4] and not string.match(stored[4], '^%d%d?%d?%d?%d?%d?$') then -- unreadable: above whatever it was
  redis.call('HSET', KEYS[2], 'fence', 1000000)
else
  redis.call('HINCRBY', KEYS[2], 'fence', 1)
end
redis.call('HSET', KEYS[2], 'epoch', epoch, 'ended', index)
redis.call('HDEL', KEYS[2], 'lease')
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SPUBLISH', KEYS[3], epoch .. ' ' .. index .. ' ' .. index + 1 .. ' ' .. #entry .. '\n' .. entry)
return 'done'
