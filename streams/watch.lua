-- Put streams on the list of the unsettled, to be looked after when this time is over.
--
-- KEYS: 1 unsettled
-- ARGV: 1 from now (ms), 2 "1" not to put off those that are to be looked after sooner, 3… stream ids

local now = redis.call('TIME')
local due = now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ARGV[1])
for i = 3, #ARGV do
  if ARGV[2] == '1' then
    redis.call('ZADD', KEYS[1], 'LT', due, ARGV[i])
  else
    redis.call('ZADD', KEYS[1], due, ARGV[i])
  end
end
