-- Append a publication to a channel, once for each event of a connection and for each idempotency key.
-- A channel begins a new epoch when its position is missing, belongs to another generation of the store, or is
-- behind what subscribers have already had.
-- This is what a publish costs Redis, so each call and each conversion here counts: the position is one packed value
-- (channel_read.lua reads it too), the time is the broker's, what events have published is a hash for all of some
-- minutes, and all keys live a little longer, so that few appends have to say so again.
-- An event that was sent again may be appended before its first copy, which a broker left in Redis's socket.
-- KEYS position, history, key, events of the event's period
-- ARGV 1 generation  2 end of the epoch to begin, should one be needed  3, 4 epoch and offset known to be delivered
--      5 time in ms, 13 digits  6 idempotency ttl in ms; 0: no key  7 event; "": none  8 place of its publication
--      among the events  9 ttl of these in ms  10 version, 20 digits; "": none  11 most messages; 0: no history
--      12 most bytes  13 ttl in ms  14 the publication
-- Answer: what was done, epoch, offset, time in ms
local call = redis.call
local generation, epoch, version, offset, bytes, oldest, alive, lives = '', '', '', 0, 0, 0, 0, 0
local at, now, event = call('GET', KEYS[1]), ARGV[5] + 0, ARGV[7]
if at then
	offset, bytes, oldest, alive, lives, epoch, version, generation = struct.unpack('>I8I8I8I8I8sss', at)
end
local begins = generation ~= ARGV[1] or ARGV[3] > epoch or epoch == ARGV[3] and offset < ARGV[4] + 0
if begins then -- newer than all that anybody has seen: epochs begin with their time
	local clock = call('TIME')
	local born = clock[1] * 1000 + math.floor(clock[2] / 1000)
	for _, old in ipairs({epoch, ARGV[3]}) do
		born = math.max(born, (tonumber(string.sub(old, 1, 11), 16) or 0) + 1)
	end
	epoch, offset, bytes, version = string.format('%011x', born) .. ARGV[2], 0, 0, ''
	call('DEL', KEYS[1], KEYS[2])
else
	local before = event ~= '' and call('HGET', KEYS[4], ARGV[8])
	if before and string.sub(before, 1, #event + 1) == event .. ' ' then
		local of, o, t = string.match(before, ' (%S+) (%d+) (%d+)')
		if of == epoch then
			return {'repeated', epoch, tonumber(o), tonumber(t)}
		end
	end
	if ARGV[6] ~= '0' then
		local of, o, t = string.match(call('GET', KEYS[3]) or '', '^(%S+) (%d+) (%d+)')
		if of == epoch then
			return {'duplicate', epoch, tonumber(o), tonumber(t)}
		end
	end
	if ARGV[10] ~= '' and ARGV[10] <= version then
		return {'suppressed', epoch, offset, now}
	end
end

local size, ttl, n = ARGV[11] + 0, ARGV[13] + 0, 0
if size > 0 then
	local most = ARGV[12] + 0
	offset = offset + 1
	n = call('RPUSH', KEYS[2], ARGV[5] .. ARGV[14])
	bytes = bytes + #ARGV[5] + #ARGV[14]
	if n == 1 then -- the first one: what was before has expired, or was cleared
		bytes, oldest = #ARGV[5] + #ARGV[14], now
	end
	while n > size or bytes > most do
		local gone = call('LPOP', KEYS[2])
		n, bytes, oldest = n - 1, bytes - #gone, tonumber(string.sub(gone, 1, 13)) -- or later than that
		if n == 0 then
			oldest = now
		end
	end
	while oldest <= now - ttl do
		local first = call('LINDEX', KEYS[2], 0)
		oldest = first and tonumber(string.sub(first, 1, 13)) or now
		if oldest <= now - ttl then
			call('LPOP', KEYS[2])
			n, bytes = n - 1, bytes - #first
		end
	end
end
if ARGV[10] ~= '' then
	version = ARGV[10]
end
local slack = math.min(math.floor(ttl / 16), 30000)
local lives_longer = begins or n == 1 or lives ~= ttl or now - alive >= slack
if lives_longer then
	alive = now
end
call('SET', KEYS[1], struct.pack('>I8I8I8I8I8sss', offset, bytes, oldest, alive, ttl, epoch, version, ARGV[1]),
	'KEEPTTL')
if lives_longer then
	call('PEXPIRE', KEYS[1], 2 * ttl + 3600000 + slack)
	if size > 0 then
		call('PEXPIRE', KEYS[2], ttl + slack)
	end
end
if ARGV[6] ~= '0' then
	call('SET', KEYS[3], string.format('%s %d %s', epoch, offset, ARGV[5]), 'PX', ARGV[6])
end
if event ~= '' and call('HSET', KEYS[4], ARGV[8], string.format('%s %s %d %s', event, epoch, offset, ARGV[5])) == 1 and
	call('HLEN', KEYS[4]) == 1 then
	call('PEXPIRE', KEYS[4], ARGV[9])
end
return {'ok', epoch, offset, now}
