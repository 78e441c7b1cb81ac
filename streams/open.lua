-- Become the writer of a stream. A repeated call, with the same epoch, answers as the first did.
--
-- KEYS: 1 chunks, 2 state, 3 news channel
-- ARGV: 1 new epoch, 2 lease (ms), 3 expiry (ms), 4 "1" to take it from whoever writes it: that one is then fenced, and
--       its text gives way to the new epoch
-- Returns {fence, 1 if someone asked to stop, 1 if another worker had it before (see again.lua)}; {-1, 0, 0} if the
-- stream has ended; {-2, 0, 0} if somebody else has begun it.

local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[2]) end
local stored = redis.call('HMGET', KEYS[2], 'ended', 'epoch', 'fence', 'cancel', 'again')
if stored[1] then return {-1, 0, 0} end
local cancel, again = tonumber(stored[4] or 0) or 0, stored[5] and 1 or 0
if stored[2] == ARGV[1] then return {tonumber(stored[3]) or 1, cancel, again} end
if stored[2] and ARGV[4] ~= '1' then return {-2, 0, 0} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local fence = redis.call('HINCRBY', KEYS[2], 'fence', 1)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'lease', now + tonumber(ARGV[2]), 'opened', now)
redis.call('HDEL', KEYS[2], 'seen', 'grown')
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SPUBLISH', KEYS[3], ARGV[1] .. ' 0 0 \n')
return {fence, cancel, again}
