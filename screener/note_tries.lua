-- Notes how often an entry was tried by itself; 0 forgets it.
--
-- KEYS  1 stream   2 hash of attempts     ARGV  1 entry id   2 number of tries
-- Reply: 1 noted, 0 the entry is not there any more, and nothing is kept of it
--
-- The number is told, not counted up: a call that was carried out and not answered is made again. HDEL comes
-- first because Redis refuses the first write of a script when memory is short, HDEL excepted, and no later one.

redis.call('HDEL', KEYS[2], ARGV[1])
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] ~= '0' then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2]) end
return 1
