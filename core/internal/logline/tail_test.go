package logline

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestTailKeepsTheLastLines(t *testing.T) {
	tests := []struct {
		name string
		tail *Tail
		in   []string
		want []string
	}{
		{"none", &Tail{}, nil, nil},
		{"all", &Tail{}, []string{"a", "b"}, []string{"a", "b"}},
		{"the limit of lines", &Tail{MaxLines: 2}, []string{"a", "b", "c", "d", "e", "f", "g"}, []string{"f", "g"}},
		{"the limit of bytes", &Tail{MaxBytes: 5}, []string{"aa", "bb", "cc", "dd"}, []string{"cc", "dd"}},
		{"an overlong line", &Tail{MaxBytes: 5}, []string{"aa", "1234567"}, []string{"12345"}},
		{"the panic", &Tail{MaxLines: 2}, []string{"x", "panic: a", "b", "c", "d", "e"}, []string{"panic: a", "... 2 lines left out ...", "d", "e"}},
		{"the panic right in front", &Tail{MaxLines: 2}, []string{"x", "panic: a", "b", "c"}, []string{"panic: a", "b", "c"}},
		{"the panic once", &Tail{MaxLines: 2}, []string{"x", "panic: a", "b"}, []string{"panic: a", "b"}},
		{"the last panic", &Tail{MaxLines: 1}, []string{"panic: a", "panic: b", "c"}, []string{"panic: b", "c"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, line := range tt.in {
				tt.tail.add([]byte(line))
			}
			equalLines(t, tt.tail.Lines(), tt.want)
		})
	}
}

func TestTailAgreesWithKeepingEverything(t *testing.T) {
	tail := &Tail{MaxLines: 7, MaxBytes: 100}
	var all []string
	for i := range 1000 {
		line := fmt.Sprint(i) + strings.Repeat("x", i*i%60)
		all = append(all, line)
		tail.add([]byte(line))
		want, size := len(all), 0
		for want > 0 && len(all)-want < 7 && size+len(all[want-1]) <= 100 {
			want--
			size += len(all[want])
		}
		equalLines(t, tail.Lines(), all[want:])
		if cap(tail.text) > 1000 || cap(tail.ends) > 100 {
			t.Fatalf("the tail has grown to %d bytes and %d lines", cap(tail.text), cap(tail.ends))
		}
	}
}

func TestTailIsSafeForConcurrentUse(t *testing.T) {
	tail := &Tail{MaxLines: 3}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 200 {
				tail.add([]byte("panic: line"))
				tail.Lines()
			}
		})
	}
	group.Wait()
	if n := len(tail.Lines()); n != 3 {
		t.Errorf("%d lines, want 3", n)
	}
}
