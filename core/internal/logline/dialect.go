package logline

import "log/slog"

// A key is one with a meaning in some logger's lines.
type key uint8

const (
	otherKey key = iota
	atLevel
	atMessage
	atTimestamp
	levelKey
	lvlKey
	severityKey
	msgKey
	messageKey
	timeKey
	tsKey
	timestampKey
	keyCount
)

// keyNamed returns the key with a name.
func keyNamed(name []byte) key {
	switch string(name) {
	case keyLevel:
		return atLevel
	case keyMessage:
		return atMessage
	case keyTimestamp:
		return atTimestamp
	case "level":
		return levelKey
	case "lvl":
		return lvlKey
	case "severity":
		return severityKey
	case "msg":
		return msgKey
	case "message":
		return messageKey
	case "time":
		return timeKey
	case "ts":
		return tsKey
	case "timestamp":
		return timestampKey
	}
	return otherKey
}

// A dialect is the set of keys of a logger. A line is in a dialect if it has its level and its
// message, and the level is known.
type dialect struct{ level, message, time key }

// dialects are those of JSON and of key=value text. An earlier one wins.
var dialects = [...]dialect{
	{atLevel, atMessage, atTimestamp},       // hclog's JSON (protocol §7)
	{levelKey, msgKey, timeKey},             // slog, logrus, pino, bunyan
	{levelKey, msgKey, tsKey},               // zap, go-kit's logfmt
	{levelKey, messageKey, timeKey},         // zerolog
	{levelKey, messageKey, timestampKey},    // loggers of other languages
	{severityKey, messageKey, timestampKey}, // the clouds'
	{lvlKey, msgKey, tsKey},                 // logfmt
}

// settle finds out the dialect of the members read, and with it the level, message and time. A
// line with a level and no message stays whole, and has the level.
func (o *object) settle(line []byte) {
	o.message, o.timestamp, o.leading = field{}, field{}, dialect{}
	if o.index[atLevel] > 0 {
		o.adopt(dialects[0])
		o.whole = !o.leveled
		o.exact = true
		return
	}
	var best dialect
	matched := -1
	for _, d := range dialects[1:] {
		if o.index[d.level] == 0 {
			continue
		}
		level, exact, ok := levelOf(&o.fields[o.index[d.level]-1], line)
		if !ok {
			continue
		}
		match := 0
		if o.index[d.message] > 0 {
			match = 1
			if o.index[d.time] > 0 {
				match = 2
			}
		}
		if match > matched {
			matched, best = match, d
			o.level, o.exact, o.leveled = level, exact, true
		}
	}
	if o.whole = matched <= 0; !o.whole {
		o.adopt(best)
	}
}

// adopt takes the message and the time from a dialect's members.
func (o *object) adopt(d dialect) {
	o.leading = d
	if i := o.index[d.message]; i > 0 {
		o.message = o.fields[i-1]
	}
	if i := o.index[d.time]; i > 0 {
		o.timestamp = o.fields[i-1]
	}
}

// levelOf returns the level in the value of a logger that is not hclog.
func levelOf(f *field, line []byte) (level slog.Level, exact, ok bool) {
	value := line[f.value.from:f.value.to]
	if f.kind != kindString && f.kind != kindInteger {
		return 0, false, false
	}
	if f.escaped {
		value = []byte(stringOf(string(value), span{0, len(value)}, true))
	}
	return levelWord(value)
}
