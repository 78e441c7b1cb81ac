-- The job that a stream was owed is in the queue (see again.lua).
--
-- KEYS: 1 state
-- Returns 1 to whoever says it first, else 0.

if redis.call('HGET', KEYS[1], 'again') ~= 'owed' then return 0 end
redis.call('HSET', KEYS[1], 'again', 'queued')
return 1
