package logline

import (
	"strconv"
	"time"
)

// timeLayout is hclog's format of a record's time, with exactly six digits for
// microseconds (protocol §7).
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// zones turns offsets into locations. It remembers the last one, since a plugin
// uses one or two offsets in its life.
type zones struct {
	offset int
	last   *time.Location
}

// at returns the location offset seconds east of Greenwich.
func (z *zones) at(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	if z.last == nil || z.offset != offset {
		z.last, z.offset = time.FixedZone("", offset), offset
	}
	return z.last
}

// parseTime reads a timestamp in timeLayout, by the rules of time.Parse, as
// go-plugin's hosts do. It also accepts zero to nine fraction digits: loggers
// in other languages write milliseconds or nanoseconds, and their lines should
// keep their level.
func parseTime(text string, z *zones) (time.Time, bool) {
	if t, ok := parseUsualTime(text, z); ok {
		return t, true
	}
	t, err := time.Parse(timeLayout, text)
	return t, err == nil
}

// parseUsualTime reads a timestamp with two digits a part, several times as
// fast as time.Parse.
func parseUsualTime(text string, z *zones) (time.Time, bool) {
	const date, fixed = len("2006-01-02"), len("2006-01-02T15:04:05")
	if len(text) <= fixed || text[date] != 'T' {
		return time.Time{}, false
	}
	year, month, day, ok1 := parseDate(text[:date], '-')
	hour, minute, second, ok2 := parseClock(text[date+1 : fixed])
	nanos, rest, ok3 := parseFraction(text[fixed:], '.')
	offset, ok4 := parseOffset(rest)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, z.at(offset))
	// time.Date moves a day beyond the month's end into the next month.
	return t, t.Day() == day
}

// parseDate reads text with the length of "2006-01-02", with the given separator.
func parseDate(text string, separator byte) (year, month, day int, ok bool) {
	century, ok1 := twoDigits(text[0:], 99)
	year, ok2 := twoDigits(text[2:], 99)
	month, ok3 := twoDigits(text[5:], 12)
	day, ok4 := twoDigits(text[8:], 31)
	ok = ok1 && ok2 && ok3 && ok4 && month > 0 && text[4] == separator && text[7] == separator
	return century*100 + year, month, day, ok
}

// parseClock reads text with the length of "15:04:05".
func parseClock(text string) (hour, minute, second int, ok bool) {
	hour, ok1 := twoDigits(text[0:], 23)
	minute, ok2 := twoDigits(text[3:], 59)
	second, ok3 := twoDigits(text[6:], 59)
	ok = ok1 && ok2 && ok3 && text[2] == ':' && text[5] == ':'
	return hour, minute, second, ok
}

// parseFraction reads an optional fraction of a second at the start of text, after the given
// point.
func parseFraction(text string, point byte) (nanos int, rest string, ok bool) {
	if text == "" || text[0] != point {
		return 0, text, true
	}
	const most = 9
	i := 1
	for i < len(text) && i <= most && text[i]-'0' <= 9 {
		nanos = nanos*10 + int(text[i]-'0')
		i++
	}
	if i == 1 {
		return 0, text, false
	}
	for range most - (i - 1) {
		nanos *= 10
	}
	return nanos, text[i:], true
}

// parseOffset reads a zone, "Z" or "+hh:mm", in seconds east of Greenwich.
func parseOffset(text string) (seconds int, ok bool) {
	if text == "Z" {
		return 0, true
	}
	if len(text) != len("+00:00") || text[3] != ':' || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, ok1 := twoDigits(text[1:], 24)
	minutes, ok2 := twoDigits(text[4:], 59)
	seconds = (hours*60 + minutes) * 60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, ok1 && ok2
}

// twoDigits reads a number of two digits up to limit.
func twoDigits(text string, limit int) (int, bool) {
	high, low := text[0]-'0', text[1]-'0'
	n := int(high)*10 + int(low)
	return n, high <= 9 && low <= 9 && n <= limit
}

// A stamp is a date, a time of day or both, as loggers write them in front of a message.
type stamp struct {
	size    int       // in bytes; 0 means none
	full    bool      // a date and a time of day
	slashes bool      // a date like 2006/01/02, as package log writes it
	zoned   bool      // at has the zone of the text; otherwise it is in UTC
	at      time.Time // only if full
}

// readStamp reads a stamp at the start of text.
func readStamp(text []byte) (s stamp) {
	const date, clock = len("2006-01-02"), len("15:04:05")
	var day time.Time
	if len(text) >= date && (text[4] == '-' || text[4] == '/') {
		year, month, dayOfMonth, ok := parseDate(string(text[:date]), text[4])
		day = time.Date(year, time.Month(month), dayOfMonth, 0, 0, 0, 0, time.UTC)
		if !ok || day.Day() != dayOfMonth {
			return s
		}
		s.size, s.slashes = date, text[4] == '/'
		if len(text) == date || text[date] != ' ' && text[date] != 'T' {
			return s
		}
		text = text[date+1:]
	}
	if len(text) < clock {
		return s
	}
	text = text[:min(len(text), clock+len(".000000000+00:00"))]
	hour, minute, second, ok := parseClock(string(text[:clock]))
	nanos, zone, ok2 := parseAnyFraction(string(text[clock:]))
	if !ok || !ok2 {
		return s
	}
	read := len(text) - len(zone)
	if s.size == 0 {
		s.size = read
		return s
	}
	s.full = true
	s.at = day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second + time.Duration(nanos))
	offset, size, zoned := cutOffset(zone)
	if s.zoned = zoned; offset != 0 {
		s.at = s.at.Add(-time.Duration(offset) * time.Second).In(time.FixedZone("", offset))
	}
	s.size += 1 + read + size
	return s
}

// parseAnyFraction reads a fraction after a point or, as Python writes it, a comma.
func parseAnyFraction(text string) (nanos int, rest string, ok bool) {
	if text != "" && text[0] == ',' {
		return parseFraction(text, ',')
	}
	return parseFraction(text, '.')
}

// cutOffset reads a zone at the start of text: "Z", "+hh:mm" or "+hhmm".
func cutOffset(text string) (seconds, size int, ok bool) {
	const colon, plain = len("+00:00"), len("+0000")
	switch {
	case text == "":
		return 0, 0, false
	case text[0] == 'Z':
		return 0, 1, true
	}
	if len(text) >= colon {
		if seconds, ok = parseOffset(text[:colon]); ok {
			return seconds, colon, true
		}
	}
	if len(text) >= plain {
		if seconds, ok = parseOffset(text[:3] + ":" + text[3:plain]); ok {
			return seconds, plain, true
		}
	}
	return 0, 0, false
}

// time returns the stamp's time. Without a zone it is in now's or UTC (log.LUTC), whichever is
// near now. Any other time could be either, and ok is false.
func (s stamp) time(now time.Time) (at time.Time, ok bool) {
	if !s.full || s.zoned {
		return s.at, s.full
	}
	if isNear(s.at, now) {
		return s.at, true
	}
	year, month, day := s.at.Date()
	hour, minute, second := s.at.Clock()
	at = time.Date(year, month, day, hour, minute, second, s.at.Nanosecond(), now.Location())
	return at, isNear(at, now)
}

// isNear reports whether a time is within minutes of now: less than between any two zones.
func isNear(at, now time.Time) bool { return now.Sub(at).Abs() < 5*time.Minute }

// epochTime reads a count of seconds, milliseconds, microseconds or nanoseconds since 1970. Its
// size tells the unit: no log is from before 1973 or after 5138.
func epochTime(number string) (time.Time, bool) {
	const most = 100_000_000_000 // seconds
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		switch {
		case n < 0:
			return time.Time{}, false
		case n < most:
			return time.Unix(n, 0), true
		case n < most*1e3:
			return time.UnixMilli(n), true
		case n < most*1e6:
			return time.UnixMicro(n), true
		}
		return time.Unix(0, n), true
	}
	x, err := strconv.ParseFloat(number, 64)
	if err != nil || x < 0 || x >= most {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(x*1e6 + 0.5)), true
}
