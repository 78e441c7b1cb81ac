-- Let a stream exist before anyone writes it. Does nothing to one that exists.
--
-- KEYS: 1 state
-- ARGV: 1 how long it may wait for a writer (ms), 2 expiry (ms)

if redis.call('EXISTS', KEYS[1]) == 1 then return end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'lease', now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
