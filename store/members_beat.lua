-- Drop the brokers whose time is over, add the asker, and answer with all of them, the cluster's id, and its age in ms.
-- Data that went back in place has an older beat of the asker than it knows of.
-- KEYS members, cluster   ARGV boot id, name, endpoint, ttl in ms, proposed cluster id, edges linked to it,
--      7 number of this beat, 8 of the last one that was answered (0: none), 9 the cluster id in that answer
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[4]) -- a first write that Redis takes when its memory is full; then it takes the others too
local live = {{ARGV[1], ARGV[2], ARGV[3], ARGV[6]}}
local all = redis.call('HGETALL', KEYS[1])
local before -- the asker's last beat
for i = 1, #all, 2 do
	local readable, m = pcall(cjson.decode, all[i + 1])
	readable = readable and type(m) == 'table' and type(m.expires) == 'number' and
		type(m.name) == 'string' and type(m.endpoint) == 'string'
	if readable and all[i] == ARGV[1] then
		before = tonumber(m.beat)
	end
	if not readable or m.expires <= now then
		redis.call('HDEL', KEYS[1], all[i])
	elseif all[i] ~= ARGV[1] then
		live[#live + 1] = {all[i], m.name, m.endpoint, type(m.edges) == 'string' and m.edges or ''}
		if m.expires > now + 2 * ARGV[4] then -- no broker's own, or of a clock that was ahead: its time begins now
			m.expires = now + 2 * ARGV[4]
			redis.call('HSET', KEYS[1], all[i], cjson.encode(m))
		end
	end
end
redis.call('HSET', KEYS[1], ARGV[1],
	cjson.encode({name = ARGV[2], endpoint = ARGV[3], edges = ARGV[6], expires = now + ARGV[4],
		beat = math.max(before or 0, tonumber(ARGV[7]))}))
redis.call('PEXPIRE', KEYS[1], 2 * ARGV[4])
table.sort(live, function(a, b) return a[1] < b[1] end)

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or 'unknown'
local id, of, born = string.match(redis.call('GET', KEYS[2]) or '', '^(%S+) (%S+) ?(%d*)$')
local is_older = id == ARGV[9] and before and before < tonumber(ARGV[8])
if of ~= run or is_older then -- none yet, or from before a restart or a failover, which may have lost the last of it
	born = now -- in the ending too: a process that is the master again, without a restart, has another id than before
	id = id and string.format('%s.%s-%011x', string.match(id, '^[^.]+'), string.sub(run, 1, 6), born) or ARGV[5]
	redis.call('SET', KEYS[2], id .. ' ' .. run .. string.format(' %.0f', born))
end
return {id, live, now - (tonumber(born) or 0)}
