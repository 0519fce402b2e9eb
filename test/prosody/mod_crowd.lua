-- Everybody of the domain is there: each probe is answered, and what they are sent is written down (option crowd_file):
-- milliseconds, "probe" or "message", the address, the id, and of a message the first line, parted by tabs.
local st = require "util.stanza";
local now = require "util.time".now;

local file = assert(io.open(module:get_option_string("crowd_file"), "a"));

local function note(kind, stanza, text)
	local attr = stanza.attr;
	file:write(string.format("%.0f\t%s\t%s\t%s\t%s\n", now() * 1000, kind, attr.to, attr.id or "", text or ""));
	file:flush();
end

module:hook("presence/bare", function(event)
	local stanza = event.stanza;
	if stanza.attr.type == "probe" then
		note("probe", stanza);
		module:send(st.presence({ from = stanza.attr.to .. "/desk", to = stanza.attr.from }));
	end
	return true;
end, 1000);

module:hook("message/bare", function(event)
	local body = event.stanza:get_child_text("body");
	if body then note("message", event.stanza, body:match("^[^\n]*")); end
	return true;
end, 1000);

function module.unload()
	file:close();
end
