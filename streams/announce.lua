-- Let a stream exist before anyone writes it. Does nothing to one that exists.
--
-- KEYS: 1 state
-- ARGV: 1 how long it may wait for a writer (ms), 2 expiry (ms)

if redis.call('EXISTS', KEYS[1]) == 1 then return end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'announced', now, 'lease', now + tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
