package logline

import (
	"testing"
	"time"
)

func TestParseTimeReadsHclogsTimes(t *testing.T) {
	var z zones
	for _, text := range []string{
		"2024-05-06T07:08:09.123456Z",
		"2024-02-29T23:59:59.999999+02:00",
		"2024-05-06T07:08:09.000000-09:30",
		"0000-01-01T00:00:00.000000Z",
		"9999-12-31T23:59:59.999999+14:00",
	} {
		want, err := time.Parse(timeLayout, text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := parseTime(text, &z)
		if !ok || !got.Equal(want) || got.Format(timeLayout) != text {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
}

func TestParseTimeTakesAnyFraction(t *testing.T) {
	var z zones
	for text, nanos := range map[string]int{
		"2024-05-06T07:08:09Z":                0,
		"2024-05-06T07:08:09.5Z":              500_000_000,
		"2024-05-06T07:08:09.123Z":            123_000_000,
		"2024-05-06T07:08:09.123456789+01:00": 123_456_789,
	} {
		if got, ok := parseTime(text, &z); !ok || got.Nanosecond() != nanos {
			t.Errorf("%s: got %v, %v", text, got, ok)
		}
	}
}

func TestParseTimeRefusesInvalidTimes(t *testing.T) {
	var z zones
	for _, text := range []string{
		"", "now", "2024-05-06", "2024-05-06T07:08:09", "2024-05-06 07:08:09Z", "2024-05-06T07:08:09.Z",
		"2024-05-06T07:08:09.1234567890Z", "2024-05-06T07:08:09z", "2024-05-06T07:08:09+0100", "2024-05-06T07:08:09+25:00",
		"2024-05-06T07:08:09+01:60", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z",
		"2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:00.000000Zx", "20x4-01-01T00:00:00Z",
		"2024-01-01T00:00:00.000000",
	} {
		if got, ok := parseTime(text, &z); ok {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

// FuzzTime compares parsed timestamps with time.Parse.
func FuzzTime(f *testing.F) {
	for _, text := range []string{"2024-05-06T07:08:09.123456Z", "2024-02-30T07:08:09.123456+02:00", "2024-05-06T07:08:09", "x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var z zones
		got, ok := parseTime(text, &z)
		want, err := time.Parse(timeLayout, text)
		if err == nil && (!ok || !got.Equal(want)) {
			t.Errorf("%q: got %v, %v; time.Parse says %v", text, got, ok, want)
		}
		if ok && err != nil {
			if want, err = time.Parse(time.RFC3339Nano, text); err != nil || !got.Equal(want) {
				t.Errorf("%q: got %v; time.Parse says %v, %v", text, got, want, err)
			}
		}
	})
}
