-- Trims a stream below the oldest entry that some group has not acknowledged, but leaves what is young, for those
-- who read without a group. Without a group it trims nothing.
--
-- KEYS  1 stream   2 hash that says up to where streams have been trimmed
-- ARGV  1 age below which entries stay, ms     Reply { number of groups, entries trimmed }
--
-- In one step, so that no group can be created between the look and the cut. The trimming comes first because
-- Redis permits it when memory is short, and every later write of a script that has written.

local function parts(id)
  local ms, seq = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local function before(a, b)
  local a_ms, a_seq = parts(a)
  local b_ms, b_seq = parts(b)
  return a_ms < b_ms or (a_ms == b_ms and a_seq < b_seq)
end

if redis.call('EXISTS', KEYS[1]) == 0 then return { 0, 0 } end
local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
local oldest = nil
for _, group in ipairs(groups) do
  local info = {}
  for i = 1, #group, 2 do info[group[i]] = group[i + 1] end
  local pending = redis.call('XPENDING', KEYS[1], info.name)
  local unread = pending[1] > 0 and pending[2] or info['last-delivered-id']
  if not oldest or before(unread, oldest) then oldest = unread end
end
if not oldest then return { 0, 0 } end
local time = redis.call('TIME')
local young = string.format('%.0f-0', time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[1]))
local cut = before(young, oldest) and young or oldest
local last = cut ~= '0-0' and redis.call('XREVRANGE', KEYS[1], '(' .. cut, '-', 'COUNT', 1)[1]
if not last then return { #groups, 0 } end
local trimmed = redis.call('XTRIM', KEYS[1], 'MINID', cut)
redis.call('HSET', KEYS[2], KEYS[1], last[1])
return { #groups, trimmed }
