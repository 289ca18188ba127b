package handshake

import "strings"

// IsCandidate reports whether a line of a plugin's standard output means to be a
// handshake line, so that a host takes it and, when [Parse] refuses it, reports
// that; everything else is noise that a host skips and goes on reading.
//
// A line that starts with "1|" is a candidate however the rest looks. One that
// starts with another number is a candidate if it has the shape of a handshake
// line otherwise: at least four fields, with a number in the second or a known
// network in the third. So a line of a later core version is reported as such,
// and a progress bar or a row of a table is noise.
func IsCandidate(line string) bool {
	line = strings.TrimSpace(line)
	fields := strings.SplitN(line, "|", minFields+1)
	if len(fields) < 2 || !isNumber(fields[0]) {
		return false
	}
	if strings.TrimLeft(fields[0], "0") == "1" {
		return true
	}
	if len(fields) < minFields {
		return false
	}
	return isNumber(fields[1]) || fields[2] == NetworkUnix || fields[2] == NetworkTCP
}

// isNumber reports whether s could be meant as a version.
func isNumber(s string) bool {
	_, ok := decimal(s, 1<<62)
	return ok
}

// maxGlued bounds how many beginnings [SplitGlued] tries, each of which may cost
// a pass over the line.
const maxGlued = 8

// SplitGlued recognises a handshake line that has noise in front of it on the
// same line, as in
//
//	loading...1|1|unix|/tmp/plugin/s|netrpc|
//
// from a plugin that printed without a newline before it served. It returns the
// noise and the rest, which [Parse] accepts; ok is false when there is no such
// rest, when nothing stands before it, and for lines over [MaxLine]. It is meant
// for saying exactly what went wrong; go-plugin's hosts refuse such a line.
func SplitGlued(line string) (noise, rest string, ok bool) {
	if len(line) > MaxLine {
		return "", "", false
	}
	for from, tries := 0, 0; tries < maxGlued; {
		at := strings.Index(line[from:], "1|")
		if at < 0 {
			break
		}
		noise, rest = line[:from+at], line[from+at:]
		from += at + 1
		if strings.TrimSpace(noise) == "" || !isBeginning(rest) {
			continue
		}
		tries++
		if _, err := Parse(rest); err == nil {
			return noise, rest, true
		}
	}
	return "", "", false
}

// isBeginning reports whether a line of core version 1 could begin here, without
// looking further than its third field.
func isBeginning(text string) bool {
	fields := strings.SplitN(text, "|", minFields)
	return len(fields) == minFields && isNumber(fields[1]) &&
		(fields[2] == NetworkUnix || fields[2] == NetworkTCP)
}
