package pipe

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// open makes a pipe. The writing end stands for a descendant of the process.
func open(t *testing.T) (*Reader, *os.File) {
	t.Helper()
	r, w, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	reader := NewReader(r, 10*time.Millisecond)
	t.Cleanup(func() {
		_ = w.Close()
		_ = reader.Close()
	})
	return reader, w
}

func write(t *testing.T, w *os.File, text string) {
	t.Helper()
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func TestReaderEndsWithTheLastWriter(t *testing.T) {
	reader, w := open(t)
	write(t, w, "all of it")
	_ = w.Close()
	text, err := io.ReadAll(reader)
	if string(text) != "all of it" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestFinishEndsAWaitingReadDespiteALivingWriter(t *testing.T) {
	reader, _ := open(t)
	read := make(chan error, 1)
	go func() {
		_, err := reader.Read(make([]byte, 1))
		read <- err
	}()
	reader.Finish()
	if err := <-read; err != io.EOF {
		t.Errorf("got %v", err)
	}
}

func TestFinishKeepsEarlierOutput(t *testing.T) {
	reader, w := open(t)
	want := strings.Repeat("0123456789", 6000) // nearly the capacity of a pipe
	write(t, w, want)
	reader.Finish()
	text, err := io.ReadAll(reader)
	if string(text) != want || err != nil {
		t.Errorf("read %d bytes of %d, %v", len(text), len(want), err)
	}
}

func TestFinishEndsReadingFromAnEndlessWriter(t *testing.T) {
	reader, w := open(t)
	writing := make(chan struct{})
	go func() {
		defer close(writing)
		line := make([]byte, 4096)
		for {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	}()
	if _, err := io.ReadFull(reader, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	reader.Finish()
	if n, err := io.Copy(io.Discard, reader); err != nil || n > maxDrain {
		t.Errorf("%d bytes, %v", n, err)
	}
	<-writing // the closed pipe ends the writer
}

func TestReaderStaysAtItsEnd(t *testing.T) {
	reader, _ := open(t)
	reader.Finish()
	for range 3 {
		if n, err := reader.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("read %d, %v", n, err)
		}
	}
	reader.Finish()
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
}

// Many times, since Close may come before the Read, during it, or as it begins.
func TestCloseEndsARead(t *testing.T) {
	for range 100 {
		closeDuringARead(t)
	}
}

func closeDuringARead(t *testing.T) {
	t.Helper()
	reader, _ := open(t)
	read := make(chan error, 1)
	go func() {
		_, err := reader.Read(make([]byte, 1))
		read <- err
	}()
	if err := reader.Close(); err != nil {
		t.Error(err)
	}
	if err := <-read; !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func TestReadOfZeroBytesDoesNotWait(t *testing.T) {
	reader, _ := open(t)
	if n, err := reader.Read(nil); n != 0 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}
