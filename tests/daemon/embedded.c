/* A program with a JVM inside, as service wrappers and desktop applications are: it does not tell the JVM what it is.
 * Two of its own threads compete for a lock, and allocate. usage: embedded LIBJVM CLASS OPTION… */
#include <dlfcn.h>
#include <jni.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPTIONS_MAX = 16 };

static pthread_mutex_t drawer = PTHREAD_MUTEX_INITIALIZER;

static void *clerk(void *arg)
{
    for (;; usleep(1000)) {
        pthread_mutex_lock(&drawer);
        void *volatile paper = malloc(100000);
        usleep(5000);
        free(paper);
        pthread_mutex_unlock(&drawer);
    }
    return arg;
}

int main(int argc, char **argv)
{
    JavaVMOption options[OPTIONS_MAX] = {0};
    JavaVMInitArgs args = {.version = JNI_VERSION_1_8, .options = options};
    JavaVM *vm;
    JNIEnv *env;
    void *lib = argc < 3 ? NULL : dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    jint (*create)(JavaVM **, void **, void *) =
        lib ? (jint(*)(JavaVM **, void **, void *))dlsym(lib, "JNI_CreateJavaVM") : NULL;
    if (!create)
        return 1;
    for (int i = 3; i < argc && args.nOptions < OPTIONS_MAX; i++)
        options[args.nOptions++].optionString = argv[i];
    if (create(&vm, (void **)&env, &args) != JNI_OK)
        return 2;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        if (pthread_create(&threads[i], NULL, clerk, NULL) != 0)
            return 4;
    jclass main_class = (*env)->FindClass(env, argv[2]);
    jclass strings = (*env)->FindClass(env, "java/lang/String");
    jmethodID method = main_class ? (*env)->GetStaticMethodID(env, main_class, "main", "([Ljava/lang/String;)V") : NULL;
    if (!method)
        return 3;
    (*env)->CallStaticVoidMethod(env, main_class, method, (*env)->NewObjectArray(env, 0, strings, NULL));
    return (*vm)->DestroyJavaVM(vm);
}
