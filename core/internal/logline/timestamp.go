package logline

import "time"

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
	year, month, day, ok1 := parseDate(text[:date])
	hour, minute, second, ok2 := parseClock(text[date+1 : fixed])
	nanos, rest, ok3 := parseFraction(text[fixed:])
	offset, ok4 := parseOffset(rest)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, nanos, z.at(offset))
	// time.Date moves a day beyond the month's end into the next month.
	return t, t.Day() == day
}

// parseDate reads text with the length of "2006-01-02".
func parseDate(text string) (year, month, day int, ok bool) {
	century, ok1 := twoDigits(text[0:], 99)
	year, ok2 := twoDigits(text[2:], 99)
	month, ok3 := twoDigits(text[5:], 12)
	day, ok4 := twoDigits(text[8:], 31)
	ok = ok1 && ok2 && ok3 && ok4 && month > 0 && text[4] == '-' && text[7] == '-'
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

// parseFraction reads an optional fraction of a second at the start of text.
func parseFraction(text string) (nanos int, rest string, ok bool) {
	if text[0] != '.' {
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
