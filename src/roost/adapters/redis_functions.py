"""What runs inside Redis: one library of Functions, named by a digest of its text: two versions live side by side.

A timeline is one list: ids as they were pushed, newest at the head, and behind them one entry that says its state (`b`
begun, `w` warm), the greatest id that fell off, the rebuild's ticket, and how many ids at the end are sorted. Trimming
is lazy: the usual push is one LPUSHX, and what came late or twice is put in order once for many pushes. Ids are
compared as decimal text, as Lua's numbers hold 53 bits only. Functions for many keys get them as arguments, as Redis
Cluster wants declared ones in one slot; those that this node does not have are told by their numbers behind the answer.
"""

import hashlib

_TEXT = """
local function newer(a, b) return #a > #b or (#a == #b and a > b) end

local function once_newest_first(ids, gone)
  table.sort(ids, newer)
  local kept = {}
  for _, id in ipairs(ids) do
    if id ~= kept[#kept] and newer(id, gone) then kept[#kept + 1] = id end
  end
  return kept
end

local function put_in_front(key, ids)
  for last = #ids, 1, -500 do
    local part = {}
    for at = last, math.max(last - 499, 1), -1 do part[#part + 1] = ids[at] end
    redis.call('LPUSH', key, unpack(part))
  end
end

local function state_of(text)
  local state, gone, ticket, sorted = string.match(text, '^(%a) (%d+) (%w+) (%d+)$')
  return state, gone, ticket, tonumber(sorted)
end

local function state_text(state, gone, ticket, sorted)
  return state .. ' ' .. gone .. ' ' .. ticket .. ' ' .. string.format('%d', sorted)
end

-- The list is never empty on the way: it would lose its time-to-live.
local function trim(key, length_max)
  local state, gone, ticket, sorted = state_of(redis.call('LINDEX', key, -1))
  local unsorted = redis.call('LLEN', key) - 1 - sorted
  local fresh = once_newest_first(redis.call('LRANGE', key, 0, unsorted - 1), gone)
  if sorted > 0 and #fresh > 0 and not newer(fresh[#fresh], redis.call('LINDEX', key, unsorted)) then
    fresh = once_newest_first(redis.call('LRANGE', key, 0, -2), gone)
    redis.call('LTRIM', key, -1, -1)
    sorted = 0
  else
    redis.call('LTRIM', key, unsorted, -1)
  end
  put_in_front(key, fresh)
  sorted = sorted + #fresh
  if sorted > length_max then
    gone = redis.call('LINDEX', key, length_max)
    redis.call('RPOP', key)
    redis.call('LTRIM', key, 0, length_max - 1)
    sorted = length_max
    redis.call('RPUSH', key, state_text(state, gone, ticket, sorted))
  else
    redis.call('LSET', key, -1, state_text(state, gone, ticket, sorted))
  end
end

local function each(args, first, width, act)
  local refused = {}
  for at = first, #args, width do
    local ok, answer = act(args[at], at)
    if not ok then refused[#refused + 1] = (at - first) / width + 1 end
  end
  return refused
end

local function failed(answer) return type(answer) == 'table' and answer.err ~= nil end

local function answered(answer, refused)
  local all = {answer}
  for _, at in ipairs(refused) do all[#all + 1] = at end
  return all
end

-- id, longest, length_max, key...
local function push(keys, args)
  local id, longest, length_max, taken = args[1], tonumber(args[2]), tonumber(args[3]), 0
  local refused = each(args, 4, 1, function(key)
    local length = redis.pcall('LPUSHX', key, id)
    if failed(length) then return false end
    if length > 0 then
      taken = taken + 1
      if length > longest + 1 then trim(key, length_max) end
    end
    return true
  end)
  return answered(taken, refused)
end

-- ttl_ms
local function read(keys, args)
  local all = redis.call('LRANGE', keys[1], 0, -1)
  if #all == 0 or state_of(all[#all]) ~= 'w' then return false end
  redis.call('PEXPIRE', keys[1], args[1])
  return all
end

-- ticket, ttl_ms
local function begin(keys, args)
  redis.call('DEL', keys[1])
  redis.call('RPUSH', keys[1], state_text('b', '0', args[1], 0))
  redis.call('PEXPIRE', keys[1], args[2])
  return 1
end

-- ticket, gone, length_max, ttl_ms, id...
local function finish(keys, args)
  local key, length_max = keys[1], tonumber(args[3])
  local ids = redis.call('LRANGE', key, 0, -1)
  if #ids == 0 then return false end
  local state, gone, ticket = state_of(table.remove(ids))
  if state ~= 'b' or ticket ~= args[1] then return false end
  if newer(args[2], gone) then gone = args[2] end
  for at = 5, #args do ids[#ids + 1] = args[at] end
  ids = once_newest_first(ids, gone)
  if #ids > length_max then
    gone = ids[length_max + 1]
    for at = #ids, length_max + 1, -1 do ids[at] = nil end
  end
  local text = state_text('w', gone, ticket, #ids)
  redis.call('DEL', key)
  redis.call('RPUSH', key, text)
  put_in_front(key, ids)
  redis.call('PEXPIRE', key, args[4])
  ids[#ids + 1] = text
  return ids
end

-- A value is kept behind '='. A key that was asked for and is not there holds '?' and a token for a while: only who
-- brings the token may fill it, and forgetting the key takes the token away.
-- token, token_ms, ttl_ms, key...
local function take(keys, args)
  local values = {}
  local refused = each(args, 4, 1, function(key)
    local value = redis.pcall('GET', key)
    if not failed(value) then
      if not value then
        value = '?' .. args[1]
        if failed(redis.pcall('SET', key, value, 'PX', args[2])) then value = {err = ''} end
      elseif string.sub(value, 1, 1) == '=' then
        redis.call('PEXPIRE', key, args[3])
      end
    end
    if failed(value) then values[#values + 1] = '' return false end
    values[#values + 1] = value
    return true
  end)
  return answered(values, refused)
end

-- ttl_ms, (key, token, value)...
local function fill(keys, args)
  local kept = 0
  local refused = each(args, 2, 3, function(key, at)
    local value = redis.pcall('GET', key)
    if failed(value) then return false end
    if value == '?' .. args[at + 1] then
      redis.call('SET', key, '=' .. args[at + 2], 'PX', args[1])
      kept = kept + 1
    end
    return true
  end)
  return answered(kept, refused)
end

-- ttl_ms, (key, value)...
local function put(keys, args)
  return answered(0, each(args, 2, 2, function(key, at)
    return not failed(redis.pcall('SET', key, '=' .. args[at + 1], 'PX', args[1]))
  end))
end

-- key...
local function forget(keys, args)
  return answered(0, each(args, 1, 1, function(key) return not failed(redis.pcall('UNLINK', key)) end))
end

-- While a library is loaded there is neither `pairs` nor any other way through a table.
local function across(name, act)
  redis.register_function{function_name = 'roost_@_' .. name, callback = act, flags = {'allow-cross-slot-keys'}}
end
across('push', push)
across('take', take)
across('fill', fill)
across('put', put)
across('forget', forget)
redis.register_function('roost_@_read', read)
redis.register_function('roost_@_begin', begin)
redis.register_function('roost_@_finish', finish)
"""

_VERSION = hashlib.sha256(_TEXT.encode()).hexdigest()[:8]
LIBRARY = f"#!lua name=roost_{_VERSION}\n{_TEXT}".replace("@", _VERSION)


def function(name: str) -> str:
    """What a function of the library is called in Redis."""
    return f"roost_{_VERSION}_{name}"
