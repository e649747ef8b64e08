-- Trims entries of a stream that are older than they may be, unless it has a group: what somebody has yet to
-- read is not trimmed by its age.
--
-- KEYS  1 stream   2 hash that says up to where streams have been trimmed
-- ARGV  1 age from which entries go, ms     Reply: entries trimmed
--
-- By Redis's clock, which made the ids. The trimming comes first because Redis permits it when memory is short,
-- and every later write of a script that has written.

if redis.call('EXISTS', KEYS[1]) == 0 or #redis.call('XINFO', 'GROUPS', KEYS[1]) > 0 then return 0 end
local time = redis.call('TIME')
local cut = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1]))
local last = redis.call('XREVRANGE', KEYS[1], '(' .. cut, '-', 'COUNT', 1)[1]
if not last then return 0 end
local trimmed = redis.call('XTRIM', KEYS[1], 'MINID', cut)
redis.call('HSET', KEYS[2], KEYS[1], last[1])
return trimmed
