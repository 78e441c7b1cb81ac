-- Take the streams whose time is over, and put them off, so that of all reapers only one looks after each.
--
-- KEYS: 1 unsettled
-- ARGV: 1 at most so many, 2 put off by (ms)
-- Returns their ids.

local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local due = redis.call('ZRANGE', KEYS[1], '-inf', now_ms, 'BYSCORE', 'LIMIT', 0, ARGV[1])
for _, id in ipairs(due) do redis.call('ZADD', KEYS[1], now_ms + tonumber(ARGV[2]), id) end
return due
