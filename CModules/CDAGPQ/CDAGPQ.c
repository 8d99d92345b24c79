// Where there is no header of libpq, the build has no trait Cluster, and this file is empty.
#if __has_include(<postgresql/libpq-fe.h>) || __has_include(<libpq-fe.h>)

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

// Hidden: libpq calls its own functions by these names, and must not find the ones of this file.
#pragma GCC visibility push(hidden)
#include "CDAGPQ.h"

// Every function that the package uses: type of the result, name, parameters, arguments.
#define FUNCTIONS(function) \
    function(char *, PQcmdStatus, (PGresult *result), (result)) \
    function(char *, PQcmdTuples, (PGresult *result), (result)) \
    function(PostgresPollingStatusType, PQconnectPoll, (PGconn *connection), (connection)) \
    function(PGconn *, PQconnectStartParams, \
             (const char *const *names, const char *const *values, int expands), (names, values, expands)) \
    function(int, PQconnectionNeedsPassword, (const PGconn *connection), (connection)) \
    function(PQconninfoOption *, PQconninfoParse, (const char *text, char **message), (text, message)) \
    function(int, PQconsumeInput, (PGconn *connection), (connection)) \
    function(char *, PQerrorMessage, (const PGconn *connection), (connection)) \
    function(int, PQflush, (PGconn *connection), (connection)) \
    function(char *, PQfname, (const PGresult *result, int column), (result, column)) \
    function(Oid, PQftype, (const PGresult *result, int column), (result, column)) \
    function(PGresult *, PQgetResult, (PGconn *connection), (connection)) \
    function(int, PQgetisnull, (const PGresult *result, int row, int column), (result, row, column)) \
    function(int, PQgetlength, (const PGresult *result, int row, int column), (result, row, column)) \
    function(char *, PQgetvalue, (const PGresult *result, int row, int column), (result, row, column)) \
    function(int, PQisBusy, (PGconn *connection), (connection)) \
    function(int, PQnfields, (const PGresult *result), (result)) \
    function(int, PQntuples, (const PGresult *result), (result)) \
    function(char *, PQresultErrorField, (const PGresult *result, int field), (result, field)) \
    function(char *, PQresultErrorMessage, (const PGresult *result), (result)) \
    function(ExecStatusType, PQresultStatus, (const PGresult *result), (result)) \
    function(int, PQsendPrepare, \
             (PGconn *connection, const char *name, const char *query, int count, const Oid *types), \
             (connection, name, query, count, types)) \
    function(int, PQsendQuery, (PGconn *connection, const char *query), (connection, query)) \
    function(int, PQsendQueryPrepared, \
             (PGconn *connection, const char *name, int count, const char *const *values, const int *sizes, \
              const int *formats, int format), \
             (connection, name, count, values, sizes, formats, format)) \
    function(PQnoticeReceiver, PQsetNoticeReceiver, \
             (PGconn *connection, PQnoticeReceiver receiver, void *context), (connection, receiver, context)) \
    function(int, PQsetnonblocking, (PGconn *connection, int value), (connection, value)) \
    function(int, PQsocket, (const PGconn *connection), (connection)) \
    function(ConnStatusType, PQstatus, (const PGconn *connection), (connection)) \
    function(PGTransactionStatusType, PQtransactionStatus, (const PGconn *connection), (connection))

// The same for functions without a result.
#define PROCEDURES(procedure) \
    procedure(PQclear, (PGresult *result), (result)) \
    procedure(PQconninfoFree, (PQconninfoOption *options), (options)) \
    procedure(PQfinish, (PGconn *connection), (connection)) \
    procedure(PQfreemem, (void *bytes), (bytes))

static struct {
#define FUNCTION_FIELD(type, name, parameters, arguments) type(*name) parameters;
#define PROCEDURE_FIELD(name, parameters, arguments) void(*name) parameters;
    FUNCTIONS(FUNCTION_FIELD)
    PROCEDURES(PROCEDURE_FIELD)
} libpq;

#define FUNCTION(type, name, parameters, arguments) \
    type name parameters { return libpq.name arguments; }
#define PROCEDURE(name, parameters, arguments) \
    void name parameters { libpq.name arguments; }
FUNCTIONS(FUNCTION)
PROCEDURES(PROCEDURE)

static const char *failure;

static void load(void) {
    // The second and third are Homebrew's.
    static const char *const files[] = {
#ifdef __APPLE__
        "libpq.5.dylib", "/opt/homebrew/opt/libpq/lib/libpq.5.dylib", "/usr/local/opt/libpq/lib/libpq.5.dylib",
#else
        "libpq.so.5",
#endif
    };
    void *library = NULL;
    for (size_t i = 0; library == NULL && i < sizeof files / sizeof *files; i++)
        library = dlopen(files[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        failure = "libpq.so.5 is not installed";
        return;
    }
    // POSIX gives objects and functions one kind of address.
#define FUNCTION_LOAD(type, name, parameters, arguments) PROCEDURE_LOAD(name, parameters, arguments)
#define PROCEDURE_LOAD(name, parameters, arguments) \
    if ((*(void **)&libpq.name = dlsym(library, #name)) == NULL) failure = "libpq has no function " #name;
    FUNCTIONS(FUNCTION_LOAD)
    PROCEDURES(PROCEDURE_LOAD)
}

#pragma GCC visibility pop

const char *dagpq_load(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return failure;
}

#endif
