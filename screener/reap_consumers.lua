-- Forgets consumers of a group that hold nothing and have been idle for long.
--
-- KEYS  1 stream     ARGV  1 group   2 least idle time, ms     Reply: names of the forgotten
--
-- In one step, because XGROUP DELCONSUMER drops whatever the consumer holds for good.

local gone = {}
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local info = {}
  for i = 1, #consumer, 2 do info[consumer[i]] = consumer[i + 1] end
  if info.pending == 0 and info.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], info.name)
    gone[#gone + 1] = info.name
  end
end
return gone
