-- Count one more in this second: how many are there?
-- KEYS count   Answer: the number
local second = redis.call('TIME')[1]
local of, n = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) (%d+)$')
n = of == second and tonumber(n) + 1 or 1
redis.call('SET', KEYS[1], second .. ' ' .. string.format('%.0f', n), 'PX', 2000)
return n
