-- A worker has taken a queued stream: it begins it soon, or it is dead. Does nothing to one that somebody writes, or
-- has ended.
--
-- KEYS: 1 state
-- ARGV: 1 how long it may take to begin (ms)

if redis.call('TYPE', KEYS[1]).ok ~= 'hash' or redis.call('HEXISTS', KEYS[1], 'epoch') == 1 then return end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'taken', 1, 'lease', now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[1]))
