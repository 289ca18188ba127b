package transportgrpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/grpc"

	"github.com/jackfield-go/jackfield/proto/streampb"
)

func TestReadersAndWritersCrossWithTheirErrors(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		text := strings.Repeat("some text ", 100_000)
		id, err := s.near.LendReader(within(t), io.MultiReader(strings.NewReader(text), iotest.ErrReader(errors.New("the tape tore"))))
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.other.BorrowReader(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != text || err == nil || !strings.Contains(err.Error(), "the tape tore") {
			t.Errorf("got %d bytes, %v; want %d, and the reader's error", len(got), err, len(text))
		}
		if _, again := r.Read(make([]byte, 1)); again == nil || again.Error() != err.Error() {
			t.Errorf("the next Read returned %v, want the same", again)
		}
		r.Close()

		full := &fullWriter{room: 100_000}
		if id, err = s.near.LendWriter(within(t), full); err != nil {
			t.Fatal(err)
		}
		w, err := s.other.BorrowWriter(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = io.WriteString(w, text)
		}
		if !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("Write returned %v, want the writer's error", err)
		}
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("Close returned %v, want the writer's error", err)
		}
	})
}

// fullWriter fails when it is full.
type fullWriter struct {
	bytes.Buffer

	room int
}

func (w *fullWriter) Write(p []byte) (int, error) {
	if w.Len()+len(p) > w.room {
		return 0, errors.New("the disk is full")
	}
	return w.Buffer.Write(p)
}

// When Close returns nil, everything has arrived.
func TestWritersCloseWaitsForWhatWasWritten(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 1 << 20} {
			var arrived bytes.Buffer
			id, err := s.near.LendWriter(within(t), &arrived)
			if err != nil {
				t.Fatal(err)
			}
			w, err := s.other.BorrowWriter(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := w.Write(make([]byte, size)); n != size || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			for range 2 {
				if err := w.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
			if arrived.Len() != size {
				t.Errorf("of %d bytes %d have arrived", size, arrived.Len())
			}
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("Write after Close returned no error")
			}
		}
	})
}

func TestStreamIsOpenedOnceAndInItsDirection(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id, err := s.near.LendReader(within(t), strings.NewReader("text"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.other.BorrowWriter(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err == nil || !strings.Contains(err.Error(), "the other way") {
			t.Errorf("writing to a reader: %v", err)
		}
		for i, want := range []string{"", "opened before"} {
			r, err := s.other.BorrowReader(within(t), id)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(r)
			if (i == 0) != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("reading for the %d. time: %v", i+1, err)
			}
			r.Close()
		}
		if _, err := s.other.BorrowReader(within(t), 0); err == nil {
			t.Error("ID 0 was opened for reading")
		}
		if _, err := s.other.BorrowWriter(within(t), 0); err == nil {
			t.Error("ID 0 was opened for writing")
		}
	})
}

// blocked is a reader without an end. It reports its first read.
type blocked struct{ reading, end chan struct{} }

func (b *blocked) Read([]byte) (int, error) {
	b.reading <- struct{}{}
	<-b.end
	return 0, io.EOF
}

func TestCloseEndsAReadThatBlocks(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		source := &blocked{reading: make(chan struct{}, 1), end: make(chan struct{})}
		defer close(source.end)
		id, err := s.near.LendReader(within(t), source)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(within(t))
		r, err := s.other.BorrowReader(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		cancel() // bounds the opening alone
		read := async(func() error { _, err := r.Read(make([]byte, 1)); return err })
		receive(t, "the read", source.reading)
		select {
		case err := <-read:
			t.Fatalf("Read returned %v", err)
		default:
		}
		r.Close()
		if err := receive(t, "the Read", read); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("Read returned %v, want an error", err)
		}
	})
}

func TestStreamEndsWithItsLendingContext(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		source := &blocked{reading: make(chan struct{}, 1), end: make(chan struct{})}
		defer close(source.end)
		ctx, cancel := context.WithCancel(within(t))
		id, err := s.near.LendReader(ctx, source)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.other.BorrowReader(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		read := async(func() error { _, err := r.Read(make([]byte, 1)); return err })
		receive(t, "the read", source.reading)
		cancel()
		if err := receive(t, "the Read", read); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("Read returned %v, want an error", err)
		}
	})
}

// halfHearted reports complete writes, and loses half.
type halfHearted struct {
	streampb.UnimplementedByteStreamServiceServer
}

func (halfHearted) Write(stream grpc.ClientStreamingServer[streampb.WriteRequest, streampb.WriteResponse]) error {
	if _, err := stream.Recv(); err != nil {
		return err
	}
	return stream.SendAndClose(&streampb.WriteResponse{Size: 1})
}

func TestWriterFailsWhenTheOtherSideStops(t *testing.T) {
	r := rigUp(t, setup{})
	h := r.connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	id := h.broker.NextID()
	serving := async(func() error {
		return h.broker.Serve(ctx, id, func(r grpc.ServiceRegistrar) {
			streampb.RegisterByteStreamServiceServer(r, halfHearted{})
		})
	})
	w, err := r.broker.BorrowWriter(within(t), id)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		var n int
		if n, err = w.Write(make([]byte, 1<<20)); err == nil && n < 1<<20 {
			t.Fatalf("Write took %d bytes, and returned no error", n)
		}
	}
	if err := w.Close(); err == nil {
		t.Error("Close returned no error, and bytes were lost")
	}
	cancel()
	_ = receive(t, "Serve", serving)
}

func TestWriteAfterCloseSaysSo(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		id, err := s.near.LendWriter(within(t), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.other.BorrowWriter(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := w.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := w.Write([]byte("late")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want io.ErrClosedPipe", err)
		}
	})
}

func TestWriteAndCloseTakeTurns(t *testing.T) {
	onBothSides(t, func(t *testing.T, s side) {
		taken, into := io.Pipe()
		ctx, cancel := context.WithCancel(within(t))
		id, err := s.near.LendWriter(ctx, into)
		if err != nil {
			t.Fatal(err)
		}
		w, err := s.other.BorrowWriter(within(t), id)
		if err != nil {
			t.Fatal(err)
		}
		const more = 32 << 20 // than any window holds
		writing := async(func() error { _, err := w.Write(make([]byte, more)); return err })
		if _, err := taken.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		closing := async(w.Close)
		cancel() // the blocked write ends with its lending context
		taken.Close()
		if err := receive(t, "the Write", writing); err == nil {
			t.Error("Write returned no error")
		}
		if err := receive(t, "the Close", closing); err == nil {
			t.Error("Close returned no error")
		}
	})
}
