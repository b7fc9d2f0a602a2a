-- Takes from tallies, for several requests: see Tallies.java for the algorithm.
--
-- KEYS: a tally each. ARGV, three for each key: number of the request, cost, most; in microseconds. The takes of a request stand
-- together, and none of its keys comes twice in it. Answer, for each key: how full it is now; where it did not fit, -1 minus how
-- full it is without it.
--
-- A tally is the moment at which it will be empty again, by Redis's clock, so nodes need not agree on the time. It expires then.
-- Numbers are doubles here, whole ones up to 2^53 exact; %.0f writes all their digits, which tostring does not.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local filled = {}
local changed = {}
local answer = {}

local first = 1
while first <= #KEYS do
  local last = first
  while last < #KEYS and ARGV[3 * last + 1] == ARGV[3 * first - 2] do
    last = last + 1
  end
  local fits = true
  for i = first, last do
    local key = KEYS[i]
    local cost, most = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
    if not filled[key] then
      local empty_at = tonumber(redis.call('GET', key) or now)
      -- A clock that was set back must not keep a tally full.
      filled[key] = math.min(math.max(empty_at - now, 0), most)
    end
    if cost > 0 and filled[key] + cost > most then
      fits = false
      answer[i] = -1 - filled[key]
    else
      answer[i] = math.max(filled[key] + cost, 0)
    end
  end
  if fits then
    for i = first, last do
      filled[KEYS[i]] = answer[i]
      changed[KEYS[i]] = true
    end
  end
  first = last + 1
end

for key in pairs(changed) do
  if filled[key] > 0 then
    redis.call('SET', key, string.format('%.0f', now + filled[key]), 'PX', math.ceil(filled[key] / 1000))
  else
    redis.call('DEL', key)
  end
end
return answer
