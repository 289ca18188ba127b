// This program is a plugin. It keeps notes in memory.
package main

import (
	"context"
	"io"
	"iter"
	"sync"

	"github.com/jackfield-go/jackfield/core/plugin"
	"github.com/jackfield-go/jackfield/examples/generated/notes"
	notesv2 "github.com/jackfield-go/jackfield/examples/proto/notes/v2"
)

// memory implements the generated interface.
type memory struct {
	mu    sync.Mutex
	texts []string
}

func (m *memory) Add(ctx context.Context, req *notesv2.AddRequest, approver notesv2.ApproverService) (*notesv2.AddResponse, error) {
	if req.GetText() == "" {
		return nil, notesv2.ErrEmpty
	}
	if approver != nil { // it runs in the host
		if _, err := approver.Approve(ctx, &notesv2.ApproveRequest{Text: req.GetText()}); err != nil {
			return nil, err
		}
	}
	return &notesv2.AddResponse{Number: m.store(req.GetText())}, nil
}

func (m *memory) List(context.Context, *notesv2.ListRequest) iter.Seq2[*notesv2.ListResponse, error] {
	return func(yield func(*notesv2.ListResponse, error) bool) {
		for _, text := range m.all() {
			if !yield(&notesv2.ListResponse{Text: text}, nil) {
				return
			}
		}
	}
}

func (m *memory) Import(_ context.Context, reqs iter.Seq2[*notesv2.ImportRequest, error]) (*notesv2.ImportResponse, error) {
	var texts []string
	for req, err := range reqs {
		if err != nil {
			return nil, err
		}
		if req.GetText() == "" {
			return nil, notesv2.ErrEmpty
		}
		texts = append(texts, req.GetText())
	}
	m.store(texts...)
	return &notesv2.ImportResponse{Count: uint32(len(texts))}, nil
}

func (m *memory) Export(_ context.Context, _ *notesv2.ExportRequest, file io.Writer) (*notesv2.ExportResponse, error) {
	for _, text := range m.all() {
		if _, err := io.WriteString(file, text+"\n"); err != nil {
			return nil, err
		}
	}
	return &notesv2.ExportResponse{}, nil
}

func (m *memory) store(texts ...string) (number uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.texts = append(m.texts, texts...)
	return uint32(len(m.texts))
}

func (m *memory) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.texts...)
}

func main() {
	plugin.Serve(plugin.Config{
		Handshake:  notes.Handshake,
		Versions:   notes.Versions().Core(),
		Implements: notes.Plugin.Bind(&memory{}),
	})
}
