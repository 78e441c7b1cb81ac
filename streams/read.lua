-- Read a page of a stream: its state and its entries as they are at one instant.
--
-- KEYS: 1 chunks, 2 state
-- ARGV: 1 the reader's epoch, 2 the next index it needs, 3 at most so many entries
-- Returns nil if there is no such stream, else {epoch ("" while nobody has begun), start, length of the
-- list, 1 if it has its end, entries, 1 if the end is missing behind them}.
-- To a reader of another epoch it is other text, so it comes from 0. Of a stream that has ended the end always comes,
-- whatever the reader believes to hold. If it is not there, the list is as long as if it were, and the last of the
-- reply is 1 where it would stand in this page: nobody waits for it in vain.

if redis.call('TYPE', KEYS[2]).ok ~= 'hash' then return nil end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'list' and kind ~= 'none' then return nil end
local epoch = redis.call('HGET', KEYS[2], 'epoch') or ''
local start = epoch == ARGV[1] and tonumber(ARGV[2]) or 0
local length, ended = redis.call('LLEN', KEYS[1]), redis.call('HEXISTS', KEYS[2], 'ended')
local lacks_end = ended == 1 and string.sub(redis.call('LINDEX', KEYS[1], -1) or '', 1, 2) ~= 'e:'
if lacks_end then length = length + 1 end
if ended == 1 and start >= length then start = math.max(0, length - 1) end
local limit = tonumber(ARGV[3])
local entries = limit > 0 and redis.call('LRANGE', KEYS[1], start, start + limit - 1) or {}
local here = lacks_end and limit > 0 and start + #entries == length - 1
return {epoch, start, length, ended, entries, here and 1 or 0}
