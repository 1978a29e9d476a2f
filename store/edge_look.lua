-- How an edge stands: is it held, how many rows, how many disconnects are owed, is one due, what it is synced with, whose it is, is there presence of it.
-- KEYS lease, owner, connections, disconnects, due, synced, presence
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 1)
return {redis.call('EXISTS', KEYS[1]), redis.call('HLEN', KEYS[3]), redis.call('HLEN', KEYS[4]), #due,
	redis.call('GET', KEYS[6]) or '', redis.call('GET', KEYS[2]) or '', redis.call('EXISTS', KEYS[7])}
