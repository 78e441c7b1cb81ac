-- Become the writer of a stream. Whoever wrote before is fenced, and its text gives way to a new epoch.
--
-- KEYS: 1 chunks, 2 state, 3 news channel
-- ARGV: 1 new epoch, 2 lease (ms), 3 expiry (ms)
-- Returns {fence, 1 if someone asked to stop}; {-1, 0} if the stream has ended.

if redis.call('HEXISTS', KEYS[2], 'ended') == 1 then return {-1, 0} end
local now = redis.call('TIME')
local fence = redis.call('HINCRBY', KEYS[2], 'fence', 1)
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[2], 'epoch', ARGV[1], 'lease', now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PUBLISH', KEYS[3], ARGV[1] .. ' 0 0 \n')
return {fence, tonumber(redis.call('HGET', KEYS[2], 'cancel') or 0)}
