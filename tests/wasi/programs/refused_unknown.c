/* grants: 31; code: 126; stderr: "import env.secret_door does not exist" */
__attribute__((import_module("env"), import_name("secret_door"))) int secret_door(void);

int main(void)
{
    return secret_door();
}
